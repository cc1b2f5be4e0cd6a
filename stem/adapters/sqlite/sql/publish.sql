INSERT INTO stem_publish (rows, bodies, keys, state, now) VALUES (:rows, :bodies, :keys, :state, :now)
