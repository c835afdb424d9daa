# Shows what comes down.
import json
import logging

def main(topic, payload, wizard_api):
    logging.info(topic)
    logging.info(payload)
