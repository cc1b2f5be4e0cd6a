from chained import tasks

DEFAULT = tasks.DEFAULT
