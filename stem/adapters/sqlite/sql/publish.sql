INSERT INTO stem_publish (rows, bodies, state, now) VALUES (:rows, :bodies, :state, :now)
