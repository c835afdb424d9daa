// Status codes of CIP in words, with what to do. Constant data; pure.
#include "drivers/eip/cip.h"

#include <stdio.h>

typedef struct Words {
    uint16_t extended; // 0: any that has no row of its own
    uint8_t status;
    const char *text;
} Words;

// General status: CIP Volume 1, appendix B. What it means for tags: 1756-PM020, "Error codes" of
// each service. Extended status of connections: CIP Volume 1, table 3-5.29.
static const Words words[] = {
    {0x0100, 0x01, "the connection is there already"},
    {0x0103, 0x01, "it has no connections of this kind"},
    {0x0107, 0x01, "it does not know the connection any more"},
    {0x0108, 0x01, "it has no connections with these parameters"},
    {0x0109, 0x01, "it has no connections of this size"},
    {0x0113, 0x01, "all its connections are taken; close other clients or set connected to false"},
    {0x011A, 0x01,
     "all connections of the controller are taken; close other clients or set "
     "connected to false"},
    {0x0127, 0x01, "it has no connections of this size"},
    {0x0128, 0x01, "it has no connections of this size"},
    {0x0203, 0x01, "the connection has timed out on the way"},
    {0x0204, 0x01, "nobody answers at the end of the route; check slot and route"},
    {0x0205, 0x01, "the route is not understood; check slot and route"},
    {0x0206, 0x01, "the request is too long for the way"},
    {0x0301, 0x01, "it has no memory for another connection"},
    {0x0311, 0x01, "the route names a port that the device does not have; check route"},
    {0x0312, 0x01,
     "the route names an address with nothing behind it; check the slot of the "
     "controller"},
    {0x0315, 0x01,
     "the route is not understood; check route, and use none for a device that is "
     "the controller itself"},
    {0x0318, 0x01, "the route leads back to where it came from; check route"},
    {0, 0x01, "the way to the controller cannot be taken; check slot and route"},
    {0, 0x02, "it has no memory or connection to spare now"},
    {0, 0x03, "a parameter has a value it does not take"},
    {0, 0x04,
     "there is no such tag or member: the name is misspelt, or of another scope (tags of "
     "a program are Program:Main.Tag)"},
    {0, 0x05,
     "there is no such tag, or an index is beyond the end of its array; check the name, "
     "and that it was downloaded to the controller"},
    {0, 0x06, "only a part of it fitted the answer"},
    {0, 0x07, "the connection to the controller is lost"},
    {0, 0x08, "the controller does not offer this service"},
    {0, 0x09, "the value is not one it takes"},
    {0, 0x0A, "one of the properties asked for was refused"},
    {0, 0x0B, "it is in that state already"},
    {0, 0x0C, "it cannot do this in its present state"},
    {0, 0x0D, "it is there already"},
    {0, 0x0E, "it cannot be written: a constant, or External Access is Read Only"},
    {0, 0x0F,
     "no permission: External Access of the tag is None (or Read Only, for a write); "
     "change it in the controller's project, or unlock the controller"},
    {0x2101, 0x10, "the key switch is in RUN: set it to REM"},
    {0x2802, 0x10, "the controller is safety-locked, safety tags cannot be written now"},
    {0, 0x10, "the controller's state forbids it (key switch, mode or safety lock)"},
    {0, 0x11, "its answer does not fit a message"},
    {0, 0x12, "the value would be cut in two"},
    {0, 0x13, "the request has too little data: the type or number of elements is another"},
    {0, 0x14, "it does not have this property"},
    {0, 0x15, "the request has too much data: the type or number of elements is another"},
    {0, 0x16, "there is no such object in it"},
    {0, 0x1A, "the request is too long for the way"},
    {0, 0x1B, "the answer is too long for the way"},
    {0, 0x1E, "a part of the request was refused"},
    {0, 0x1F, "it gives a reason of its manufacturer"},
    {0, 0x20, "a parameter of the request is not one it takes"},
    {0, 0x25, "the key of the path does not fit it"},
    {0, 0x26, "the path has another length than it expected"},
    {0, 0x28, "there is no such member"},
    {0x2104, 0xFF, "the place lies beyond the end of the tag; check the index"},
    {0x2105, 0xFF,
     "the index is beyond the end of the array; check it against the tag's "
     "dimensions"},
    {0x2107, 0xFF, "the tag has another type meanwhile"},
    {0, 0xFF, "it gives a reason of its manufacturer"},
};

const char *ps_eip_status_words(uint8_t status, uint16_t extended) {
    const char *general = "refused with a code that CIP does not define";
    for (size_t i = 0; i < PS_COUNT(words); i++) {
        if (words[i].status == status && words[i].extended == extended) {
            return words[i].text;
        }
        if (words[i].status == status && words[i].extended == 0) {
            general = words[i].text;
        }
    }
    return general;
}

void ps_eip_status_format(uint8_t status, uint16_t extended, char *out, size_t size) {
    const char *text = ps_eip_status_words(status, extended);
    if (extended != 0) {
        snprintf(out, size, "%s (CIP status 0x%02X, extended 0x%04X)", text, status, extended);
    } else {
        snprintf(out, size, "%s (CIP status 0x%02X)", text, status);
    }
}
