-- Room on each page for two more versions of its rows: the leased ones, and the ended ones.
ALTER TABLE {schema}.tasks SET (fillfactor = 40);
