"""Networks and brokers that fail; a proxy between gateway and broker does it."""
import time

from proxy import PUBACK

KEEPALIVE_S = 4  # of the runs with silence


def link_reset(rig, count):
    """Every connection is reset (RST)."""
    rig.start()
    for _ in range(count):
        rig.flows()
        time.sleep(rig.random.uniform(0, 0.5))
        rig.proxy.reset()
    rig.flows()
    rig.notes.append(f"{count} resets")


def link_half_close(rig, count):
    """The broker's side of the connection says goodbye and goes on listening."""
    rig.start()
    for _ in range(count):
        rig.flows()
        rig.proxy.half_close()
    rig.flows()
    rig.notes.append(f"{count} half-closed connections")


def silence(rig, seconds):
    before = rig.proxy.accepted
    rig.proxy.swallow()
    time.sleep(seconds)
    rig.proxy.heal()
    rig.flows(100)
    return rig.proxy.accepted - before


def link_silent_short(rig, count):
    """Nothing passes for less than the keep-alive: no connection needs to be given up."""
    rig.start()
    rig.flows()
    connections = sum(silence(rig, KEEPALIVE_S * rig.random.uniform(0.2, 0.8))
                      for _ in range(count))
    rig.notes.append(f"{count} silences below the keep-alive of {KEEPALIVE_S} s; "
                     f"{connections} connections given up")


def link_silent_long(rig, count):
    """Nothing passes for four times the keep-alive: the gateway must find out by itself."""
    rig.start()
    rig.flows()
    for _ in range(count):
        silence(rig, 4 * KEEPALIVE_S)
        assert rig.gateway.program.find("LINK-LOST"), "the dead connection was not noticed"
    rig.notes.append(f"{count} silences of {4 * KEEPALIVE_S} s at a keep-alive of {KEEPALIVE_S} s")


def link_delay(rig, seconds):
    """Each way takes 0.2 to 0.5 s longer."""
    rig.start()
    rig.flows()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rig.proxy.delay_s = rig.random.uniform(0.2, 0.5)
        time.sleep(1)
    waiting = rig.outbox()["waiting"]
    rig.proxy.delay_s = 0
    rig.notes.append(f"each way 0.2 to 0.5 s longer for {seconds} s; {waiting} waited at its end")


def puback_drop(rig, count):
    """Some acknowledgements never arrive: after 30 s the connection counts as dead and what is open
    is sent again."""
    taken = []

    def lose(packet):
        if packet[0] >> 4 == PUBACK and len(taken) < count and rig.random.random() < 0.2:
            taken.append(packet)
            return False
        return True

    rig.start()
    rig.flows()
    before = rig.proxy.accepted
    rig.proxy.filter = lose
    rig.wait(lambda: len(taken) == count, "acknowledgements to be lost")
    rig.wait(lambda: rig.proxy.accepted > before, "a new connection", 60)
    rig.proxy.filter = None
    rig.flows(100)
    rig.notes.append(f"{count} acknowledgements lost")


def puback_delay(rig, seconds):
    """Acknowledgements, and they alone, come 0.3 s late."""
    def late(packet):
        if packet[0] >> 4 == PUBACK:
            time.sleep(0.3 * (rig.random.random() < 0.1))
        return True

    rig.start()
    rig.flows()
    rig.proxy.filter = late
    time.sleep(seconds)
    waiting = rig.outbox()["waiting"]
    rig.proxy.filter = None
    rig.notes.append(f"acknowledgements in bursts of 0.3 s for {seconds} s; {waiting} waited at its "
                     "end")


def slow_broker(rig, seconds):
    """The way to the broker takes a quarter of what the scripts publish."""
    rig.start()
    rig.flows()
    rig.proxy.bytes_per_s = 4000
    time.sleep(seconds)
    waiting = rig.wait(lambda: rig.outbox()["waiting"], "a backlog")
    rig.proxy.bytes_per_s = 0
    rig.notes.append(f"4,000 bytes a second for {seconds} s; {waiting:,} waited at its end")
