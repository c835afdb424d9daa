"""wizard_api from end to end: one gateway, real devices and a real cloud; a test for each method and form.

The script `do` is told on do/<case> which of its functions to run, with what as JSON; what comes of it arrives on out/<case>.
Forms that need a device or host to misbehave on purpose are in src/script/host_api_test.c.
"""
import json
import pathlib
import re
import shutil
import tempfile

import pytest

from harness import (Cloud, Gateway, ModbusServer, Receiver, cloud_block, free_port, group,
                     modbus_device, publish, subscribe, variable, wait_for)

SCRIPT = '''
import json

class Tail:
    pass

tail_object = Tail()

def main(topic, payload, wizard_api):
    case = topic.split("/")[1]
    globals()[case.split("-")[0]](case, json.loads(payload), wizard_api)

def out(case, value, w):
    w.awsiot_publish("out/" + case, value, 1)

def awsiot(case, asked, w):
    out(case, {"returned": w.awsiot_publish("aws/topic", asked["payload"], asked["qos"])}, w)

def mqtt(case, asked, w):
    out(case, {"returned": w.mqtt_publish("mqtt/topic", asked["payload"], asked["qos"])}, w)

def save(case, asked, w):
    out(case, {"returned": w.save_data(*asked)}, w)

def parameters(case, asked, w):
    out(case, w.get_global_parameter(), w)

def answer(result, tail, w):
    case, same = tail if isinstance(tail, tuple) else ("", tail)
    out(case, {"result": result, "same": same is tail_object, "kind": type(result).__name__}, w)

def config(case, asked, w):
    w.get_tag_config(answer, (case, tail_object))

def recall(case, asked, w):
    w.recall_data(callback=answer, tail=(case, tail_object), timeout=30)

def write(case, asked, w):
    w.write_plc_values(asked, answer, (case, tail_object), 2.5)

def silent(case, asked, w):
    w.write_plc_values(asked)
    out(case, ["asked"], w)

def refused(case, asked, w):
    try:
        w.awsiot_publish("aws/topic", asked | {"set": {1}}, 1)
    except TypeError as error:
        out(case, [str(error)], w)
'''

NUMBER = '''
def main(data_collect, wizard_api):
    if data_collect["group_name"] == "never":
        return 1
'''


class Plant:
    """The running gateway and what its script answers."""

    def __init__(self, folder, certificates, cleanup):
        shutil.copytree(certificates, folder / "cloud", symlinks=True)
        self.cloud = cleanup(Cloud(folder / "cloud"))
        self.modbus = cleanup(ModbusServer())
        self.receiver = cleanup(Receiver(self.cloud, "#"))
        self.config = {
            "devices": [modbus_device("PLC1", self.modbus.port),
                        modbus_device("PLC2", self.modbus.port, slave=2, byte_order="cdab"),
                        modbus_device("Gone", free_port(), timeout=0.2)],
            "vars": [variable("word", "PLC1", "WORD", 40001, read_write="read/write", unit="°C"),
                     variable("int", "PLC1", "INT", 40002, read_write="read/write"),
                     variable("real", "PLC1", "FLOAT", 40003, read_write="read/write"),
                     variable("coil", "PLC1", "BOOL", 1, read_write="read/write"),
                     variable("name", "PLC1", "STRING", 40010, size=8, read_write="read/write"),
                     variable("bit", "PLC1", "BIT", 40020, register_bit=3,
                              read_write="read/write", mode="onchange"),
                     variable("order", "PLC1", "WORD", 40030, read_write="write", group="slow"),
                     variable("fixed", "PLC1", "WORD", 40031, group="slow"),
                     variable("twin", "PLC1", "WORD", 40032, read_write="read/write"),
                     variable("twin", "PLC2", "DINT", 40033, read_write="read/write"),
                     variable("far", "Gone", "WORD", 40001, read_write="read/write")],
            "groups": [group(), group("slow", 3600, 3600)],
            "warning": [
                {"warn_name": "Hot", "quotes": 1, "device": "PLC1", "var_name": "word",
                 "alarm_content": "too hot", "condition1": "Gt", "operand1": "30",
                 "combine_method": "And", "condition2": "Lt", "operand2": "50"},
                {"warn_name": "Far", "quotes": 0, "device": "Gone", "condition1": "Eq",
                 "operand1": "1", "data_type": "BIT", "register_addr": 40003, "register_bit": 1}],
            "cloud": cloud_block(self.cloud),
            "publish": [publish("first", "of/${line}/${nobody}", groups=["slow"],
                                script="number.py"),
                        publish("second", "second", groups=["slow", "default"],
                                script="number.py")],
            "subscribe": [subscribe("do", "do/+", qos=1),
                          subscribe("odd", "odd/${nowhere}", script="do.py")],
            "parameters": {"custom": {"line": "7"}, "gateway_sn": "GL1"}}
        self.gateway = cleanup(Gateway(folder, self.config, {"do.py": SCRIPT, "number.py": NUMBER}))
        wait_for(lambda: self.gateway.status()["link"]["state"] == "Connection Successful",
                 "the link")

    def messages(self, topic):
        return [payload for name, payload in self.receiver.messages() if name == topic]

    def do(self, case, asked=None):
        """The answer of the script to a case with a name of its own."""
        self.cloud.publish("do/" + case, json.dumps(asked))
        wait_for(lambda: self.messages("out/" + case), f"the answer to {case}")
        return json.loads(self.messages("out/" + case)[0])

    def wait_message(self, topic, payload):
        wait_for(lambda: payload in self.messages(topic), f"{payload} on {topic}")

    def holding(self, address, count=1):
        return self.modbus.get("holding", address - 40001, count)


@pytest.fixture(scope="module")
def plant(certificates):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pe-"))
    started = []
    try:
        yield Plant(folder, certificates, lambda thing: started.append(thing) or thing)
    finally:
        for thing in reversed(started):
            thing.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("form", ["text", "list", "dict"])
@pytest.mark.parametrize("method, qos", [("awsiot", 1), ("awsiot", 0), ("mqtt", 1), ("mqtt", 0)])
def test_publishing(plant, method, qos, form):
    case = f"{method}-{qos}-{form}"
    payload, sent = {"text": (case, case), "list": ([case, None], f'["{case}", null]'),
                     "dict": ({"ä": [1.0, case]}, f'{{"\\u00e4": [1.0, "{case}"]}}')}[form]
    assert plant.do(case, {"payload": payload, "qos": qos}) == {"returned": True}
    plant.wait_message("aws/topic" if method == "awsiot" else "mqtt/topic", sent)


def test_what_json_does_not_know_is_named(plant):
    assert plant.do("refused-1", {"a": 1}) == ["set: set is not JSON; use sorted() or list()"]


def test_save_data_with_a_topic(plant):
    data = {"topic": "saved/here", "qos": 1, "payload": [{"a": 1}]}
    assert plant.do("save-dict", [data]) == {"returned": True}
    plant.wait_message("saved/here", '[{"a": 1}]')


def test_save_data_with_a_group_goes_where_its_first_message_goes(plant):
    assert plant.do("save-slow", [{"b": 2}, "slow"]) == {"returned": True}
    plant.wait_message("of/7/${nobody}", '{"b": 2}')
    assert plant.do("save-default", ["text", "default"]) == {"returned": True}
    plant.wait_message("second", "text")


def test_save_data_with_an_unknown_group(plant):
    assert plant.do("save-unknown", [1, "nowhere"]) == {"returned": False}
    plant.gateway.wait_line("[ERROR]", "save_data: no publish message has a group 'nowhere'")


def test_unknown_parameters_in_topics_are_said_once(plant):
    lines = plant.gateway.program.find("[WARNING]", "is no custom parameter")
    assert len([line for line in lines if "${nobody}" in line]) == 1, lines
    assert len([line for line in lines if "${nowhere}" in line]) == 1, lines


def test_get_global_parameter(plant):
    assert plant.do("parameters-1") == {
        "gateway_sn": "GL1", "log_level": "INFO", "catch_recording": 100000,
        "warning_recording": 2000, "line": "7"}


def test_write_by_variable(plant):
    answer = plant.do("write-form1", {"word": 42})
    assert answer == {"same": True, "kind": "list", "result": [
        {"value": 42, "device": "PLC1", "var_name": "word", "result": "OK", "error": ""}]}
    assert plant.holding(40001) == [42]


def test_each_python_type_becomes_the_right_plc_type(plant):
    answer = plant.do("write-types", {"PLC1": {
        "int": -5, "real": 1.5, "coil": True, "name": "pump", "bit": 1, "order": 9.0},
        "PLC2": {"twin": -2}})
    assert [row["result"] for row in answer["result"]] == ["OK"] * 7, answer
    assert [row["var_name"] for row in answer["result"]] == [
        "int", "real", "coil", "name", "bit", "order", "twin"]
    assert plant.holding(40002) == [0x10000 - 5]
    assert plant.holding(40003, 2) == [0x3FC0, 0]
    assert plant.modbus.get("coil", 0) == [1]
    assert plant.holding(40010, 2) == [0x7075, 0x6D70]
    assert plant.holding(40020) == [8]
    assert plant.holding(40030) == [9]
    assert plant.holding(40033, 2) == [0xFFFE, 0xFFFF]


@pytest.mark.parametrize("case, message, error", [
    ("range", {"word": 70000}, "takes a whole number from 0 to 65535; got '70000'"),
    ("negative", {"PLC1": {"word": -1}}, "from 0 to 65535; got '-1'"),
    ("signed", {"int": 32768}, "from -32768 to 32767; got '32768'"),
    ("fraction", {"word": 1.5}, "takes a whole number"),
    ("float", {"real": 1e39}, "takes a number from -3.40282e+38 to 3.40282e+38"),
    ("text", {"name": "much too long"}, "at most 8 bytes"),
    ("kind", {"coil": "maybe"}, "takes true, false, 0 or 1; got 'maybe'"),
    ("none", {"word": None}, "The value must be a bool, a number"),
    ("readonly", {"fixed": 1}, "The variable is read-only."),
    ("unknown", {"nothing": 1}, "Variable 'nothing' not found."),
    ("unknown2", {"PLC1": {"nothing": 1}}, "Variable 'nothing' not found."),
    ("ambiguous", {"twin": 1}, "Variable 'twin' exists on more than one device."),
    ("device", {"Nowhere": {"word": 1}}, "Device 'Nowhere' not found."),
    ("away", {"far": 1}, "")])
def test_a_write_that_fails_says_why(plant, case, message, error):
    before = plant.holding(40001, 40)
    answer = plant.do("write-" + case, message)
    row = answer["result"][0]
    assert answer["kind"] == "list" and answer["same"] and len(answer["result"]) == 1
    assert list(row) == ["value", "device", "var_name", "result", "error"]
    assert row["result"] == "Failed" and row["error"] and error in row["error"], row
    assert plant.holding(40001, 40) == before


def test_write_without_callback(plant):
    assert plant.do("silent-1", {"order": 77, "fixed": 1}) == ["asked"]
    wait_for(lambda: plant.holding(40030) == [77], "the write")
    plant.gateway.wait_line("SCRIPT-WRITE", "variable 'fixed': The variable is read-only.")


def test_get_tag_config(plant):
    answer = plant.do("config-1")
    assert answer["same"] and answer["kind"] == "dict"
    config = answer["result"]
    assert list(config) == ["devices", "groups", "warning", "vars"]
    ids = [row.pop("id") for part in config.values() for row in part]
    assert all(re.fullmatch("[0-9a-f]{32}", text) for text in ids) and len(set(ids)) == len(ids)
    assert config["devices"][1] == {
        "device_name": "PLC2", "protocol": "ModbusTCP", "ip": "127.0.0.1",
        "port": plant.modbus.port, "slave": 2, "byte_order": "cdab"}
    assert [(row["group_name"], row["group_type"], row["polling_interval"], row["upload_interval"])
            for row in sorted(config["groups"], key=lambda row: row["group_name"])] == [
        ("default", "collect", 0.2, 0.2), ("slow", "collect", 3600, 3600),
        ("warning", "alarm", 10, "")]
    first_variable = sum(len(config[part]) for part in ("devices", "groups", "warning"))
    named, own = config["warning"]
    assert named.pop("var_id") == ids[first_variable]
    assert named == {
        "warn_name": "Hot", "group": "warning", "quotes": 1, "device": "PLC1",
        "alarm_content": "too hot", "condition1": "Gt", "operand1": "30", "combine_method": "And",
        "condition2": "Lt", "operand2": "50", "var_name": "word", "size": 1, "float_repr": 2,
        "protocol": "ModbusTCP", "data_type": "WORD", "register_type": "", "register_addr": 40001,
        "dbnumber": 0, "register_bit": "", "address": "40001", "read_write": "read/write",
        "mode": "realtime", "unit": "°C", "desc": ""}
    assert own == {
        "warn_name": "Far", "group": "warning", "quotes": 0, "device": "Gone", "alarm_content": "",
        "condition1": "Eq", "operand1": "1", "combine_method": "None", "condition2": "Eq",
        "operand2": "", "var_name": "", "var_id": "", "size": 1, "float_repr": 2,
        "protocol": "ModbusTCP", "data_type": "BIT", "register_type": "", "register_addr": 40003,
        "dbnumber": 0, "register_bit": 1, "address": "40003.1", "read_write": "read",
        "mode": "realtime", "unit": "", "desc": ""}
    assert len(config["vars"]) == len(plant.config["vars"])
    assert config["vars"][0] == {
        "var_name": "word", "device": "PLC1", "protocol": "ModbusTCP", "group": "default",
        "data_type": "WORD", "register_type": "", "register_addr": 40001, "dbnumber": 0,
        "register_bit": "", "address": "40001", "read_write": "read/write", "mode": "realtime",
        "float_repr": 2, "size": 1, "unit": "°C", "desc": ""}
    assert config["vars"][5]["address"] == "40020.3" and config["vars"][5]["register_bit"] == 3
    assert config["vars"][5]["mode"] == "onchange"
    assert plant.do("config-2")["result"]["vars"][0]["id"] == ids[first_variable]


def test_recall_data(plant):
    wait_for(lambda: plant.gateway.tags()["PLC1", "fixed"]["quality"] == "good", "the first poll")
    plant.modbus.set("holding", 30, 1234)  # of a group that is polled once an hour
    answer = plant.do("recall-1")
    assert answer["same"] and answer["kind"] == "dict"
    assert list(answer["result"]) == ["timestamp", "values"]
    values = answer["result"]["values"]
    assert list(values) == ["PLC1", "PLC2", "Gone"]
    assert list(values["PLC1"]) == ["word", "int", "real", "coil", "name", "bit", "fixed", "twin"]
    assert values["PLC1"]["fixed"] == {"raw_data": 1234, "status": 1}
    assert list(values["PLC2"]) == ["twin"] and values["PLC2"]["twin"]["status"] == 1
    assert values["Gone"] == {"far": {"raw_data": None, "status": 0}}
    plant.modbus.set("holding", 30, 4321)
    again = plant.do("recall-2")["result"]
    assert again["values"]["PLC1"]["fixed"]["raw_data"] == 4321
    assert again["timestamp"] > answer["result"]["timestamp"]


COUNTER = '''
count = 0

def main(data_collect, wizard_api):
    global count
    if not wizard_api.mqtt_publish("now", str(count), 1):
        if not wizard_api.save_data({"topic": "later", "qos": 1, "payload": str(count)}):
            raise RuntimeError("not stored")
    count += 1
'''


def test_save_data_goes_out_in_order_after_an_outage(folder, cloud, modbus, cleanup):
    """As its users write it: what mqtt_publish could not send is saved, and nothing is missing at the end."""
    receiver = cleanup(Receiver(cloud, "#"))
    gateway = cleanup(Gateway(folder, {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group("default", 0.1, 0.1)], "cloud": cloud_block(cloud),
        "publish": [publish("p", "p")]}, {"p.py": COUNTER}))

    def numbers(topic):
        return [int(payload) for name, payload in receiver.messages() if name == topic]

    wait_for(lambda: numbers("now"), "a message before the outage")
    cloud.stop()
    wait_for(lambda: gateway.message("p")["waiting"] >= 15, "a backlog")
    gateway.stop()  # what is stored is stored
    count = gateway.start().message("p")["waiting"]
    cloud.start()
    wait_for(lambda: gateway.message("p")["waiting"] == 0, "the backlog to go")
    wait_for(lambda: len(numbers("later")) >= count, "the saved messages")
    later = numbers("later")[:15]
    assert later == list(range(later[0], later[0] + 15)), later
    assert gateway.worker("p")["errors"] == 0
