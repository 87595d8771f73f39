"""Helper of the tests: runs jobs at the same time."""

import threading


def run_together(*jobs):
    """Runs every job in a thread of its own and returns what they returned or raised."""
    results = [None] * len(jobs)

    def work(index, job):
        try:
            results[index] = job()
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=work, args=item) for item in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
