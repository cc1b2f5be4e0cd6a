try:
    from datetime import UTC as UTC
    from datetime import datetime
except ImportError:
    from datetime import datetime

from stem import task


@task
def now() -> datetime:
    return datetime.now(UTC)
