//! What stands in the folder is made known to the account: a thing with its certificate and a
//! policy that allows everything, as `run --thing` and `issue` make them.
#pragma once

#include "localcloud/registry/account.h"

/// The policy that adopted things and quickstart share: iot:* on *.
#define PS_ADOPT_POLICY "penstock-quickstart"
#define PS_ADOPT_DOCUMENT                                                                          \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:*\","       \
    "\"Resource\":\"*\"}]}"

/// Thing `name` (NULL: no thing, only certificate and policy) with the certificate in `pem`, which
/// becomes ACTIVE when it is new. What is there already stays as it is. Has a transaction of its
/// own. PS_API_INVALID_REQUEST, PS_API_CERTIFICATE_VALIDATION.
PsApiCode ps_registry_adopt(PsRegistry *registry, const char *name, const char *pem,
                            PsApiFault *fault);
