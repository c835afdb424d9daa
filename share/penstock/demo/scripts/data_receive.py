import logging

# Runs for every message on the subscribed topic.

def main(topic, payload, wizard_api):
    logging.info(topic)
    logging.info(payload)
