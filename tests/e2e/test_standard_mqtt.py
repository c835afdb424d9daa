"""Standard MQTT against a plain mosquitto: user and password, QoS 0 to 2, mqtt_publish, outage."""
import subprocess

import pytest

from harness import (Broker, Gateway, Program, group, modbus_device, publish, subscribe, variable,
                     wait_for)

PUBLISHER = '''
import logging

def main(data_collect, wizard_api):
    sent = wizard_api.mqtt_publish("now", "%.3f" % data_collect["timestamp"], 1)
    logging.info("sent %s", sent)
    return {"sent": sent, "aws": hasattr(wizard_api, "awsiot_publish")}
'''
ECHO = '''
def main(topic, payload, wizard_api):
    wizard_api.mqtt_publish("echo", payload, 2)
'''


class PasswordBroker(Broker):
    """With one user."""

    def __init__(self, folder):
        passwords = folder / "passwords"
        passwords.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), "plant", "s3cret"], check=True,
                       capture_output=True)
        passwords.chmod(0o644)
        super().__init__(folder, "allow_anonymous false", f"password_file {passwords}",
                         "user root")

    def subscriber(self, topic):
        program = Program(["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", self.port,
                           "-u", "plant", "-P", "s3cret", "-q", "2", "-d", "-t", topic, "-F",
                           "MSG %q %p"])
        program.wait_line("Subscribed")
        return program

    def publish(self, topic, payload):
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-u", "plant",
                        "-P", "s3cret", "-q", "1", "-t", topic, "-m", payload], check=True,
                       timeout=60)


@pytest.fixture
def broker(folder, cleanup):
    return cleanup(PasswordBroker(folder))


def gateway_config(folder, modbus, broker, **more):
    secret = folder / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    return {
        "devices": [modbus_device("D", modbus.port)], "vars": [variable("v", "D", "WORD", 40001)],
        "groups": [group()],
        "cloud": broker.block(username="plant", password_file=str(secret), **more),
        "publish": [publish("p", "p", qos=2)], "subscribe": [subscribe("s", "say/+", qos=1)]}


SCRIPTS = {"p.py": PUBLISHER, "s.py": ECHO}


def test_messages_both_ways_and_mqtt_publish(folder, modbus, broker, cleanup):
    returned = cleanup(broker.subscriber("p"))
    now = cleanup(broker.subscriber("now"))
    echo = cleanup(broker.subscriber("echo"))
    gateway = cleanup(Gateway(folder, gateway_config(folder, modbus, broker), SCRIPTS))
    returned.wait_line('MSG 2 {"sent": true, "aws": false}')
    now.wait_line("MSG 1 ")
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful", "the link")
    broker.publish("say/x", "hello")
    echo.wait_line("MSG 2 hello")
    gateway.wait_line("[MQTT]: receive message, topic: say/x")
    broker.stop()
    gateway.wait_line("sent False")
    wait_for(lambda: gateway.message("p")["waiting"] >= 10, "a backlog")
    broker.start()
    wait_for(lambda: gateway.message("p")["waiting"] <= 1, "the backlog to go")
    assert "s3cret" not in gateway.program.text()
    assert "s3cret" not in gateway.cli("status", "--json").stdout


def test_wrong_password_is_said(folder, modbus, broker, cleanup):
    config = gateway_config(folder, modbus, broker)
    (folder / "secret").write_text("wrong\n")
    gateway = cleanup(Gateway(folder, config, SCRIPTS))
    error = wait_for(lambda: gateway.status()["link"]["last_error"], "an error of the link")
    assert "MQTT CONNECT" in error and ("password" in error or "authorized" in error), error
    (folder / "secret").write_text("s3cret\n")
    wait_for(lambda: gateway.status()["link"]["state"] == "Connection Successful",
             "the link, with the password read again")


def test_a_file_of_several_lines_is_no_password(folder, modbus, broker, cleanup):
    """Who may name the file could otherwise have a key sent to a server of his own."""
    config = gateway_config(folder, modbus, broker)
    (folder / "secret").write_text("-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n")
    gateway = cleanup(Gateway(folder, config, SCRIPTS))
    error = wait_for(lambda: gateway.status()["link"]["last_error"], "an error of the link")
    assert "more than one line" in error
    assert "planted" not in gateway.program.text() + gateway.cli("status", "--json").stdout
