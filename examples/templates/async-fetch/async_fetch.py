# SPDX-License-Identifier: Apache-2.0
# An async handler: asks several places at once and takes no longer than the slowest of them. The places are TCP
# addresses, "127.0.0.1:8070", one a line in the body, else those of the environment variable PLACES.

import asyncio
import os

SECONDS = 2
MOST_PLACES = 32


async def handler(context, event):
    places = (event.body.decode() or os.environ["PLACES"]).split()[:MOST_PLACES]
    states = await asyncio.gather(*(state(place) for place in places))
    return dict(zip(places, states))


async def state(place):
    host, _, port = place.rpartition(":")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), SECONDS)
    except asyncio.TimeoutError:
        return f"no answer within {SECONDS} s"
    except (OSError, ValueError) as error:
        return f"not reached: {error}"
    writer.close()
    return "answers"
