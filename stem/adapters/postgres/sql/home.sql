SELECT {home} AS home
