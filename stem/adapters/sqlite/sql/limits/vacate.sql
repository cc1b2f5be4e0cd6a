UPDATE stem_holdings
SET holders = holders - (SELECT count(*) FROM json_each(:holdings) WHERE value = stem_holdings.id)
WHERE id IN (SELECT value FROM json_each(:holdings))
