"""Calls functions as tasks, and prints what comes of it."""

from hysds import Client
from hysds.core.errors import TaskFailed


def reason(error: TaskFailed) -> str:
    """What the task's document says, without the times."""
    return str(error).partition("): ")[2].partition(" after ")[0]


with Client() as client:
    print(client.run_task("letters.vowels", "orchestra").result(60), "vowels in orchestra")
    try:
        client.run_task("letters.die", 7).result(60)
    except TaskFailed as error:
        print("a task that dies:", reason(error))
    try:
        client.submit_task({"function": "letters.spin", "soft_time_limit": 0.2, "time_limit": 0.5}).result(60)
    except TaskFailed as error:
        print("a task that takes too long:", reason(error))
    print("still at work:", client.run_task("letters.vowels", "education").result(60), "vowels in education")
