"""Signals tell what happens; middleware takes part in it.

    @stem.signals.task_failed.connect(task="billing.*")
    async def tell_the_team(event: TaskFailedEvent) -> None:
        ...

    stem = Stem(middleware=[LogAttempts()])
"""
