//! Configurations for tests of hosts whose configuration changes: made from a few words, parsed as
//! those of a gateway, and freed as soon as they are replaced. The value of a variable is the
//! number in its name, so that a script sees at once when it gets a wrong name.
#pragma once

#include "script/host_test_rig.h"

/// A message: publish with groups ("a b"), subscribe without.
typedef struct RigDefinition {
    const char *name;
    const char *topic;
    const char *script;        ///< file
    const char *main_function; ///< NULL: main
    const char *groups;
    const char *more; ///< further keys, `, "timeout": 3`; NULL: none
} RigDefinition;

typedef struct RigPlan {
    const char
        *groups; ///< collect groups in order, "g1 g2*"; * is `every_sample`; `default` is added
    const char *variables;            ///< "g1/v1 g2/v2", all WORD, read/write, on device A
    const RigDefinition *definitions; ///< as far as they have a name
    const char *cloud;                ///< its type; NULL: AWS IoT
    const char *more;                 ///< further blocks, `, "parameters": {}`; NULL: none
} RigPlan;

/// For cmocka_run_group_tests: a folder for scripts.
int config_rig_setup(void **state);
int config_rig_teardown(void **state);
void config_rig_script(const char *file, const char *text);
PsConfig *config_rig_make(const RigPlan *plan);
/// The host takes over; the former configuration is freed at once. Returns the new one.
PsConfig *config_rig_apply(Rig *rig, PsConfig *former, PsConfig *config);
PsConfig *config_rig_change(Rig *rig, PsConfig *former, const RigPlan *plan);
/// The number of a message that is there.
uint32_t config_rig_publish(const PsConfig *config, const char *name);
/// All variables of the group, with this collection time.
PsErr config_rig_upload(Rig *rig, const PsConfig *config, const char *message, const char *group,
                        int64_t collected_ns);
/// The same, to wait for the end of the upload interval, and that end.
PsErr config_rig_sample(Rig *rig, const PsConfig *config, const char *message, const char *group,
                        int64_t collected_ns);
void config_rig_flush(Rig *rig, const PsConfig *config, const char *message, const char *group);
