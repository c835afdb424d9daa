// What status codes mean and what to do about them, for people (Part 4, 7.39; Part 6, A.2). Pure.
#include "drivers/opcua/value.h"

#include <stdio.h>

typedef struct Words {
    UA_StatusCode code;
    const char *words;
} Words;

static const Words table[] = {
    {UA_STATUSCODE_BADNODEIDUNKNOWN,
     "the server has no such node; check namespace and identifier, penstock browse lists what it "
     "has"},
    {UA_STATUSCODE_BADNODEIDINVALID, "the server does not take this form of node id"},
    {UA_STATUSCODE_BADNOTREADABLE, "the node cannot be read"},
    {UA_STATUSCODE_BADNOTWRITABLE, "the node cannot be written"},
    {UA_STATUSCODE_BADUSERACCESSDENIED,
     "this user may not do that; give the user the right in the server, or use another one"},
    {UA_STATUSCODE_BADATTRIBUTEIDINVALID,
     "the node is no variable and has no value; take a variable below it"},
    {UA_STATUSCODE_BADINDEXRANGENODATA, "the array has no such element; check array_index"},
    {UA_STATUSCODE_BADINDEXRANGEINVALID,
     "the server takes no such element; check array_index, which only arrays have"},
    {UA_STATUSCODE_BADTYPEMISMATCH, "the value has another type than the node"},
    {UA_STATUSCODE_BADOUTOFRANGE, "the value is outside the range that the server allows"},
    {UA_STATUSCODE_BADWRITENOTSUPPORTED,
     "the server does not write this node, or only with fields we do not send"},
    {UA_STATUSCODE_BADNOTSUPPORTED, "the server does not support this"},
    {UA_STATUSCODE_BADSERVICEUNSUPPORTED, "the server does not offer this service"},
    {UA_STATUSCODE_BADDATAENCODINGUNSUPPORTED, "the server cannot encode the value"},
    {UA_STATUSCODE_BADSESSIONIDINVALID, "the server does not know our session any more"},
    {UA_STATUSCODE_BADSESSIONCLOSED, "the server has closed our session"},
    {UA_STATUSCODE_BADSESSIONNOTACTIVATED, "the server has not activated our session"},
    {UA_STATUSCODE_BADTOOMANYSESSIONS,
     "the server has no session left; close other clients, or raise the server's limit"},
    {UA_STATUSCODE_BADSECURECHANNELIDINVALID, "the server does not know our channel any more"},
    {UA_STATUSCODE_BADSECURECHANNELCLOSED, "the server has closed the connection"},
    {UA_STATUSCODE_BADCONNECTIONCLOSED, "the server has closed the connection"},
    {UA_STATUSCODE_BADCONNECTIONREJECTED, "the server does not accept the connection"},
    {UA_STATUSCODE_BADNOTCONNECTED, "there is no connection to what is behind this"},
    {UA_STATUSCODE_BADNOCOMMUNICATION, "the server has no communication with the device behind it"},
    {UA_STATUSCODE_BADCOMMUNICATIONERROR, "communication has failed"},
    {UA_STATUSCODE_BADDEVICEFAILURE, "the device behind the server has failed"},
    {UA_STATUSCODE_BADSENSORFAILURE, "the sensor has failed"},
    {UA_STATUSCODE_BADOUTOFSERVICE, "the source of the value is out of service"},
    {UA_STATUSCODE_BADWAITINGFORINITIALDATA, "the server has no value yet"},
    {UA_STATUSCODE_BADCONFIGURATIONERROR, "the value is configured wrongly in the server"},
    {UA_STATUSCODE_BADTIMEOUT, "no answer in time"},
    {UA_STATUSCODE_BADTOOMANYOPERATIONS, "too many nodes in one request"},
    {UA_STATUSCODE_BADRESPONSETOOLARGE, "the answer would be too large"},
    {UA_STATUSCODE_BADREQUESTTOOLARGE, "the request is too large"},
    {UA_STATUSCODE_BADENCODINGLIMITSEXCEEDED, "the message is too large"},
    {UA_STATUSCODE_BADTCPMESSAGETOOLARGE, "the message is too large"},
    {UA_STATUSCODE_BADIDENTITYTOKENREJECTED,
     "the server does not accept the user; check auth, username and the password"},
    {UA_STATUSCODE_BADIDENTITYTOKENINVALID,
     "the server cannot use the user's credentials; check auth and that the server offers it"},
    {UA_STATUSCODE_BADCERTIFICATEUNTRUSTED,
     "the server does not trust the gateway's certificate; accept it in the server's trust list"},
    {UA_STATUSCODE_BADSECURITYCHECKSFAILED,
     "the server refuses the secure connection, mostly because it does not trust the gateway's "
     "certificate yet; accept it in the server's trust list"},
    {UA_STATUSCODE_BADCERTIFICATEINVALID, "the certificate cannot be used"},
    {UA_STATUSCODE_BADCERTIFICATETIMEINVALID,
     "the certificate is not valid at this time; check the clocks of both sides"},
    {UA_STATUSCODE_BADCERTIFICATEURIINVALID, "the application URI is not that of the certificate"},
    {UA_STATUSCODE_BADCERTIFICATEUSENOTALLOWED, "the certificate may not be used for this"},
    {UA_STATUSCODE_BADSECURITYPOLICYREJECTED, "the server does not take this security policy"},
    {UA_STATUSCODE_BADSECURITYMODEREJECTED, "the server does not take this security mode"},
    {UA_STATUSCODE_BADSERVERHALTED, "the server is halted"},
    {UA_STATUSCODE_BADSHUTDOWN, "the server shuts down"},
    {UA_STATUSCODE_BADTCPENDPOINTURLINVALID,
     "the server has no such endpoint; check the path of the url"},
    {UA_STATUSCODE_BADTCPSERVERTOOBUSY, "the server has no connection left"},
    {UA_STATUSCODE_BADNOTIMPLEMENTED, "the server does not implement this"},
    {UA_STATUSCODE_UNCERTAINLASTUSABLEVALUE,
     "the value is an old one: its source gives no new ones"},
    {UA_STATUSCODE_UNCERTAINNOCOMMUNICATIONLASTUSABLEVALUE,
     "the value is an old one: the server has lost the device behind it"},
};

void ps_opcua_status_words(UA_StatusCode status, char *out, size_t size) {
    UA_StatusCode code = status & 0xFFFF0000; // what is below are flags
    const char *name = UA_StatusCode_name(code);
    for (size_t i = 0; i < PS_COUNT(table); i++) {
        if (table[i].code == code) {
            snprintf(out, size, "%s (%s)", table[i].words, name);
            return;
        }
    }
    snprintf(out, size, "the server answered %s (0x%08X)", name, status);
}

bool ps_opcua_status_is_lost(UA_StatusCode status) {
    switch (status) {
    case UA_STATUSCODE_BADSESSIONIDINVALID:
    case UA_STATUSCODE_BADSESSIONCLOSED:
    case UA_STATUSCODE_BADSESSIONNOTACTIVATED:
    case UA_STATUSCODE_BADSECURECHANNELIDINVALID:
    case UA_STATUSCODE_BADSECURECHANNELCLOSED:
    case UA_STATUSCODE_BADSECURECHANNELTOKENUNKNOWN:
    case UA_STATUSCODE_BADCONNECTIONCLOSED:
    case UA_STATUSCODE_BADNOTCONNECTED:
    case UA_STATUSCODE_BADSERVERNOTCONNECTED:
    case UA_STATUSCODE_BADCOMMUNICATIONERROR:
    case UA_STATUSCODE_BADSERVERHALTED:
    case UA_STATUSCODE_BADSHUTDOWN:
        return true;
    default:
        return false;
    }
}

bool ps_opcua_status_is_too_much(UA_StatusCode status) {
    switch (status) {
    case UA_STATUSCODE_BADTOOMANYOPERATIONS:
    case UA_STATUSCODE_BADRESPONSETOOLARGE:
    case UA_STATUSCODE_BADREQUESTTOOLARGE:
    case UA_STATUSCODE_BADENCODINGLIMITSEXCEEDED:
    case UA_STATUSCODE_BADTCPMESSAGETOOLARGE:
        return true;
    default:
        return false;
    }
}
