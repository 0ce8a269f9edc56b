"""Whether the chatapp in this container answers 200: `python ask.py /up`, `python ask.py /ready`.

Health checks run it every few seconds, so it imports little. No curl is needed, and no proxy that the environment
may name is asked.
"""

import http.client
import os
import sys


def main(path: str) -> int:
    line = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        text = f"{answer.status} {answer.read(500).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        text = f"no answer: {error}"
    finally:
        line.close()
    sys.stdout.write(text + "\n")  # `docker inspect` shows it
    return 0 if text.startswith("200 ") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
