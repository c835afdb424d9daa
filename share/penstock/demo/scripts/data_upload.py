import logging


def vars_upload_test(data_collect, wizard_api):
    """One object per device: its name, the time of the readings, and the values by name."""
    messages = []
    for device, variables in data_collect["values"].items():
        messages.append({
            "Device": device,
            "timestamp": data_collect["timestamp"],
            "Data": {name: reading["raw_data"] for name, reading in variables.items()},
        })
    logging.info(messages)
    return messages  # sent to the topic of this message, in order of collection, kept until it is
