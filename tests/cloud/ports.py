"""Prints four free loopback ports on one line.

All are bound at once, so that they differ, and lie below the range from which the kernel takes the
ports of outgoing connections, so that none is lost between here and the program that will bind it.
"""

import os
import random
import socket

FIRST, LAST = 20000, 31999


def main():
    generator = random.Random(os.urandom(8))
    sockets = []
    while len(sockets) < 4:
        one = socket.socket()
        try:
            one.bind(("127.0.0.1", generator.randint(FIRST, LAST)))
        except OSError:
            one.close()
            continue
        sockets.append(one)
    print(*(one.getsockname()[1] for one in sockets))


if __name__ == "__main__":
    main()
