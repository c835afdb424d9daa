"""Devices that lack some of their registers or give only so many at a time: the good values come in
every cycle, with the fewest requests there can be, also after a restart."""
import random
import time

from harness import Gateway, Plant, group, modbus_device, variable, wait_for

COUNT = 1000


def words(count=COUNT, device="P"):
    return [variable(f"v{n:04}", device, "WORD", 40001 + n) for n in range(count)]


def fewest(holes, most=125, count=COUNT):
    """Requests for a run of registers around holes: no device can be read with fewer."""
    total = length = 0
    for n in range(count):
        if n in holes:
            length = 0
        else:
            length = length % most + 1
            total += length == 1
    return total


def qualities(gateway):
    return [row["quality"] for row in gateway.tags().values()]


def good(gateway, count):
    found = qualities(gateway)
    return found.count("good") == count and found.count("refused by the device") == len(found) - count


def cycles(gateway):
    return sum(row["due"] for row in gateway.status()["groups"])


def rate(gateway, asked, seconds=3):
    """Requests of each cycle while so many seconds pass; asked() counts them."""
    before, start = asked(), cycles(gateway)
    wait_for(lambda: cycles(gateway) >= start + seconds * 5, "more cycles")
    return (asked() - before) / (cycles(gateway) - start)


def asked_of(modbus):
    return lambda: modbus.ask("asked")[0]


def refused_of(modbus):
    return modbus.ask("asked")[1]


def gateway_for(folder, port, rows):
    return Gateway(folder, {"devices": [modbus_device("P", port, timeout=5)], "vars": rows,
                            "groups": [group(polling=0.2, upload=10)]})


def learned(gateway):
    return gateway.state / "drivers/learned.json"


def test_seven_holes_in_a_thousand_registers(folder, modbus, cleanup):
    holes = set(random.SystemRandom().sample(range(COUNT), 7))
    modbus.ask("holes " + " ".join(map(str, holes)))
    modbus.set("holding", 0, *range(COUNT))
    gateway = cleanup(gateway_for(folder, modbus.port, words()))
    wait_for(lambda: good(gateway, COUNT - 7), f"all but {holes} to be good")
    wait_for(lambda: cycles(gateway) >= 5, "some cycles")
    refused = refused_of(modbus)
    tags = gateway.tags()
    assert all(tags["P", f"v{n:04}"]["value"] == n for n in range(COUNT) if n not in holes)
    per_cycle = rate(gateway, asked_of(modbus))
    assert abs(per_cycle - fewest(holes)) < 0.5, (sorted(holes), per_cycle)
    assert refused_of(modbus) == refused  # none was asked for again
    newest = max(row["time"] or 0 for row in gateway.tags().values())
    wait_for(lambda: all(row["time"] > newest for (_, name), row in gateway.tags().items()
                         if int(name[1:]) not in holes), "every good value to be read anew")
    last_error = gateway.status()["channels"][0]["last_error"]
    assert "(exception 2)" in last_error and "does not have" in last_error

    gateway.stop()
    assert learned(gateway).stat().st_mode & 0o777 == 0o600
    refused = refused_of(modbus)
    gateway.start()
    wait_for(lambda: good(gateway, COUNT - 7), "the same values after a restart")
    assert abs(rate(gateway, asked_of(modbus)) - fewest(holes)) < 0.5
    assert refused_of(modbus) == refused  # the holes were known


def test_a_device_that_gives_sixty_registers_at_a_time(folder, modbus, cleanup):
    holes = {100, 555}
    modbus.ask("holes 100 555")
    modbus.ask("most 60")
    gateway = cleanup(gateway_for(folder, modbus.port, words()))
    wait_for(lambda: good(gateway, COUNT - 2), "all but two to be good")
    wait_for(lambda: cycles(gateway) >= 5, "some cycles")
    assert abs(rate(gateway, asked_of(modbus)) - fewest(holes, 60)) < 0.5
    gateway.stop()
    refused = refused_of(modbus)
    gateway.start()
    wait_for(lambda: good(gateway, COUNT - 2), "the same values after a restart")
    assert refused_of(modbus) == refused


def test_sixteen_holes_of_a_plant_and_a_damaged_file(folder, cleanup):
    plant = cleanup(Plant(folder))
    holes = sorted(random.SystemRandom().sample(range(1, 1000, 2), 16))
    for hole in holes:
        plant.knob(f"exception 2 {40001 + hole}-{40001 + hole}")
    gateway = cleanup(gateway_for(folder, plant.port, words()))
    wait_for(lambda: good(gateway, COUNT - 16), f"all but {holes} to be good")
    gateway.stop()
    learned(gateway).write_text(learned(gateway).read_text()[:-10])
    gateway.start()
    gateway.program.wait_line("LEARNED-DAMAGED", "learned.json.damaged-")
    wait_for(lambda: good(gateway, COUNT - 16), "the holes to be found again")


def test_a_hole_that_is_filled_shows_at_once_when_the_configuration_says_so(folder, modbus, cleanup):
    modbus.ask("holes 5 10 11 12")
    rows = words(20)
    gateway = cleanup(gateway_for(folder, modbus.port, rows))
    wait_for(lambda: good(gateway, 16), "four to be refused")
    modbus.ask("holes")
    gateway.write({"devices": [modbus_device("P", modbus.port, timeout=5)],
                   "vars": rows + [variable("more", "P", "WORD", 40050)],
                   "groups": [group(polling=0.2, upload=10)]}, {})
    start = time.monotonic()
    gateway.cli("apply")
    wait_for(lambda: good(gateway, 21), "all of them to be good")
    assert time.monotonic() - start < 30  # the next try of a hole would have come after a minute
