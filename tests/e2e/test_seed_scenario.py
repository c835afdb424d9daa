"""The scenario of the AWS IoT manual with its three scripts as printed there, on a foreign Modbus
server (pymodbus) and with a foreign MQTT client (mosquitto_sub, mosquitto_pub)."""
import re

import pytest

from harness import (Gateway, Receiver, cloud_block, group, modbus_device, publish, subscribe,
                     variable, wait_for)

# The manual's scripts, shape for shape: names, structure and comments' places, so that what is
# tested is what users paste.
RETURN_SCRIPT = '''import logging
from datetime import datetime
"""
Two ways of logging exist: logging, which is always shown, and
common.Logger, which follows the log level.
"""

def vars_upload_test(data_collect, wizard_api): # main function of the message
    value_list = [] # the list that goes out
    for device, val_dict in data_collect['values'].items(): # devices and their variables
        value_dict = { # one object per device
                      "Device": device,
                      "timestamp": data_collect["timestamp"],
                      "Data": {}
                      }
        for id, val in val_dict.items(): # each variable
            value_dict["Data"][id] = val["raw_data"]
        value_list.append(value_dict)
    logging.info(value_list)
    return value_list # uploaded in order of collection
'''
PUBLISH_SCRIPT = RETURN_SCRIPT.replace(
    "return value_list # uploaded in order of collection",
    'wizard_api.awsiot_publish("awsiot/test", value_list, 1)')
RECEIVE_SCRIPT = '''import logging
"""
Shows topic and payload.
"""
def main(topic, payload, wizard_api):
    logging.info(topic)
    logging.info(payload)
'''


def scenario(modbus, cloud, upload_script):
    config = {
        "devices": [modbus_device("Temperature_Sensor", modbus.port)],
        "vars": [variable("Test", "Temperature_Sensor", "WORD", 40001, unit="°C")],
        "groups": [group("default", 0.5, 0.5)],
        "cloud": cloud_block(cloud, client_id="awstest"),
        "publish": [publish("data_upload", "awsiot/test", main="vars_upload_test", qos=1)],
        "subscribe": [subscribe("data_receive", "awsiot/send", qos=1)],
    }
    return config, {"data_upload.py": upload_script, "data_receive.py": RECEIVE_SCRIPT}


@pytest.mark.parametrize("upload_script", [RETURN_SCRIPT, PUBLISH_SCRIPT],
                         ids=["return", "awsiot_publish"])
def test_values_go_up_and_messages_come_down(folder, cloud, modbus, cleanup, upload_script):
    modbus.set("holding", 0, 2)
    receiver = cleanup(Receiver(cloud, "awsiot/test"))
    gateway = cleanup(Gateway(folder, *scenario(modbus, cloud, upload_script)))
    wait_for(lambda: len(receiver.messages()) >= 3, "three messages")
    for document in receiver.documents("awsiot/test"):
        assert isinstance(document, list) and len(document) == 1
        assert list(document[0]) == ["Device", "timestamp", "Data"]
        assert document[0]["Device"] == "Temperature_Sensor"
        assert isinstance(document[0]["timestamp"], float)
        assert document[0]["Data"] == {"Test": 2}
    stamps = [document[0]["timestamp"] for document in receiver.documents()]
    assert stamps == sorted(set(stamps))
    line = gateway.program.find("'Device': 'Temperature_Sensor'")[0]
    assert "[<string> 19]" in line and "[INFO]" in line

    payload = '{\n  "message": "Hello from AWS IoT console"\n}'
    cloud.publish("awsiot/send", payload)
    gateway.wait_line("[AWSIoT]: receive message, topic: awsiot/send")
    lines = gateway.program.lines
    first = next(i for i, text in enumerate(lines) if "on_cloud_subscribe" in text)
    topic = next(i for i, text in enumerate(lines) if "[<string> 6]: awsiot/send" in text)
    text = next(i for i, text in enumerate(lines) if "[<string> 7]:" in text)
    last = next(i for i, text in enumerate(lines) if "[AWSIoT]: receive message" in text)
    assert first < topic < text < last
    assert "Hello from AWS IoT console" in lines[text]
    assert re.match(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] \[INFO\] \[<string> 6\]: ",
                    lines[topic])
    assert gateway.program.find("Build module: vars_upload_test, type: publish")
    assert gateway.program.find("Build OK.")
    assert gateway.stop() == 0


def test_status_shows_the_cloud_in_the_words_of_device_supervisor(folder, cloud, modbus, cleanup):
    gateway = cleanup(Gateway(folder, *scenario(modbus, cloud, RETURN_SCRIPT)))
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    wait_for(lambda: gateway.message("data_upload")["delivered"] >= 2, "two deliveries")
    ledger = gateway.message("data_upload")
    assert ledger["accepted"] == ledger["delivered"] + ledger["waiting"] + ledger["dead"] + sum(
        ledger["dropped"].values())
    human = gateway.cli("status").stdout
    assert "Cloud: Connection Successful for 0 Day 00:00:" in human
    assert "awstest" in human
