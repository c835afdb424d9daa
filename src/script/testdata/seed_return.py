import logging
from datetime import datetime
"""
The shape of the manual's publish script: imports, a docstring after them, a main function that
walks devices and variables and builds one object per device. Two ways of logging exist: logging,
always shown, and common.Logger, which follows the log level.
"""

def vars_upload_test(data_collect, wizard_api): # entry function
    value_list = [] # what goes out
    for device, val_dict in data_collect['values'].items(): # each device
        value_dict = { # its object
                      "Device": device,
                      "timestamp": data_collect["timestamp"],
                      "Data": {}
                      }
        for id, val in val_dict.items(): # each variable
            value_dict["Data"][id] = val["raw_data"]
        value_list.append(value_dict) # in order
    logging.info(value_list) # shown in the log
    return value_list # sent, in order of collection
