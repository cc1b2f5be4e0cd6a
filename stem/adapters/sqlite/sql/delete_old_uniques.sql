DELETE FROM stem_uniques WHERE until <= :now
