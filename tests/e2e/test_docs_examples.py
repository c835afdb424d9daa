"""Every Python example of the guide and the reference runs as a message of one gateway, without an error."""
import re

from harness import (Gateway, ROOT, Receiver, cloud_block, group, modbus_device, publish, subscribe,
                     variable, wait_for)

PAGES = ["docs/scripts.md", "docs/api/wizard_api.md"]


def examples():
    """(name, text) of each example."""
    for page in PAGES:
        text = (ROOT / page).read_text()
        for number, block in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL)):
            yield f"{page.split('/')[-1][:-3]}-{number}", block


def of_alarms(name):
    return publish(name, f"returned/{name}", groups=["warning"], group_type="alarm")


def test_the_examples_of_the_documentation(folder, cloud, modbus, cleanup):
    found = dict(examples())
    assert len(found) >= 9
    receiver = cleanup(Receiver(cloud, "#"))
    publishes = [name for name, text in found.items() if "def main(data_collect" in text]
    subscribes = [name for name in found if name not in publishes]
    assert all("def main(topic, payload" in found[name] for name in subscribes)
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)],
        "vars": [variable("v", "D", "WORD", 40001, unit="m", read_write="read/write")],
        "groups": [group()], "cloud": cloud_block(cloud),
        "warning": [{"warn_name": "a", "quotes": 1, "device": "D", "var_name": "v",
                     "condition1": "Gne", "operand1": "0"}],
        "publish": [of_alarms(name) if 'alarm["' in found[name] else
                    publish(name, f"returned/{name}", qos=1) for name in publishes],
        "subscribe": [subscribe(name, f"to/{name}", qos=1) for name in subscribes],
        "parameters": {"custom": {"line": "7"}}},
        {f"{name}.py": text for name, text in found.items()}))
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    for name in subscribes:
        cloud.publish(f"to/{name}", '{"v": 5}')
    topics = {topic for text in found.values() for topic in re.findall(r'"(example/\w+)"', text)}
    topics |= {f"returned/{name}" for name in publishes if "return " in found[name]}
    assert len(topics) >= 8
    wait_for(lambda: topics <= {topic for topic, _ in receiver.messages()},
             "a message on each topic of the examples")
    for name in found:
        wait_for(lambda: gateway.worker(name)["calls"] > 0, f"{name} to be called")
        assert gateway.worker(name)["errors"] == 0, gateway.worker(name)
    assert modbus.get("holding", 0) == [5]
    assert not gateway.program.find("[ERROR]")
