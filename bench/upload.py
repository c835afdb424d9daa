"""The function both sides of the script bench run: the manual's script without its log line."""


def main(data_collect, wizard_api):
    value_list = []
    for device, val_dict in data_collect["values"].items():
        value_dict = {"Device": device, "timestamp": data_collect["timestamp"], "Data": {}}
        for name, val in val_dict.items():
            value_dict["Data"][name] = val["raw_data"]
        value_list.append(value_dict)
    return value_list
