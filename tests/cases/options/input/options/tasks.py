from datetime import timedelta

from stem import Retry, task

QUEUE = "billing"


@task(
    name="bill",
    version=2,
    queue=QUEUE,
    priority=7,
    max_retries=5,
    expires=timedelta(hours=1),
    unique="bill-{order_id}",
    unique_for=timedelta(minutes=10),
    rate_limit_key="{order_id}",
    concurrency_key="c-{order_id}",
    result_ttl=timedelta(days=2),
    ignore_result=True,
    broadcast=True,
    tags=("money", "slow"),
    description="Bills \"one\" order",
    retry=Retry(initial=timedelta(seconds=1)),
    rate_limit="100/m",
    concurrency=3,
    soft_time_limit=timedelta(seconds=5),
    hard_time_limit=timedelta(seconds=9),
    lease=timedelta(seconds=20),
    run_in="thread",
    ack="early",
    accepts=(1,),
    aliases=("old.bill",),
    idempotent=True,
    attr="bill_order",
)
def bill(order_id: int) -> None: ...


@task(max_retries=3, unique=True, expires=None, tags=("one",))
def defaults() -> None: ...
