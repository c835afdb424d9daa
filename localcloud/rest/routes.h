//! The calls the local cloud itself answers: every operation is one row of routes.c, every handler
//! is in a file do_*.c. Main thread.
#pragma once

#include "localcloud/rest/rest.h"

/// Everything but what PsRestSetup.services brings.
extern const PsRestRoutes ps_rest_routes;

#define PS_REST_HANDLER(name)                                                                      \
    PsApiCode name(const PsRestCall *call, PsRestAnswer *answer, PsApiFault *fault)

PS_REST_HANDLER(ps_do_create_thing);
PS_REST_HANDLER(ps_do_describe_thing);
PS_REST_HANDLER(ps_do_update_thing);
PS_REST_HANDLER(ps_do_delete_thing);
PS_REST_HANDLER(ps_do_list_things);
PS_REST_HANDLER(ps_do_create_thing_type);
PS_REST_HANDLER(ps_do_describe_thing_type);
PS_REST_HANDLER(ps_do_deprecate_thing_type);
PS_REST_HANDLER(ps_do_delete_thing_type);
PS_REST_HANDLER(ps_do_list_thing_types);

PS_REST_HANDLER(ps_do_create_thing_group);
PS_REST_HANDLER(ps_do_describe_thing_group);
PS_REST_HANDLER(ps_do_update_thing_group);
PS_REST_HANDLER(ps_do_delete_thing_group);
PS_REST_HANDLER(ps_do_list_thing_groups);
PS_REST_HANDLER(ps_do_add_thing_to_group);
PS_REST_HANDLER(ps_do_remove_thing_from_group);
PS_REST_HANDLER(ps_do_list_things_in_group);
PS_REST_HANDLER(ps_do_list_groups_for_thing);

PS_REST_HANDLER(ps_do_create_keys_and_certificate);
PS_REST_HANDLER(ps_do_create_certificate_from_csr);
PS_REST_HANDLER(ps_do_register_certificate);
PS_REST_HANDLER(ps_do_register_certificate_without_ca);
PS_REST_HANDLER(ps_do_update_certificate);
PS_REST_HANDLER(ps_do_describe_certificate);
PS_REST_HANDLER(ps_do_delete_certificate);
PS_REST_HANDLER(ps_do_list_certificates);
PS_REST_HANDLER(ps_do_list_certificates_by_ca);

PS_REST_HANDLER(ps_do_register_ca);
PS_REST_HANDLER(ps_do_describe_ca);
PS_REST_HANDLER(ps_do_update_ca);
PS_REST_HANDLER(ps_do_delete_ca);
PS_REST_HANDLER(ps_do_list_cas);
PS_REST_HANDLER(ps_do_get_registration_code);
PS_REST_HANDLER(ps_do_delete_registration_code);

PS_REST_HANDLER(ps_do_create_policy);
PS_REST_HANDLER(ps_do_get_policy);
PS_REST_HANDLER(ps_do_delete_policy);
PS_REST_HANDLER(ps_do_list_policies);
PS_REST_HANDLER(ps_do_create_policy_version);
PS_REST_HANDLER(ps_do_get_policy_version);
PS_REST_HANDLER(ps_do_list_policy_versions);
PS_REST_HANDLER(ps_do_delete_policy_version);
PS_REST_HANDLER(ps_do_set_default_policy_version);
PS_REST_HANDLER(ps_do_attach_policy);
PS_REST_HANDLER(ps_do_detach_policy);
PS_REST_HANDLER(ps_do_list_attached_policies);
PS_REST_HANDLER(ps_do_list_targets_for_policy);
PS_REST_HANDLER(ps_do_get_effective_policies);
PS_REST_HANDLER(ps_do_attach_principal_policy);
PS_REST_HANDLER(ps_do_detach_principal_policy);
PS_REST_HANDLER(ps_do_list_principal_policies);
PS_REST_HANDLER(ps_do_list_policy_principals);

PS_REST_HANDLER(ps_do_attach_thing_principal);
PS_REST_HANDLER(ps_do_detach_thing_principal);
PS_REST_HANDLER(ps_do_list_thing_principals);
PS_REST_HANDLER(ps_do_list_thing_principals_v2);
PS_REST_HANDLER(ps_do_list_principal_things);
PS_REST_HANDLER(ps_do_list_principal_things_v2);
PS_REST_HANDLER(ps_do_describe_endpoint);

PS_REST_HANDLER(ps_do_publish);
PS_REST_HANDLER(ps_do_get_retained_message);
PS_REST_HANDLER(ps_do_list_retained_messages);
PS_REST_HANDLER(ps_do_delete_connection);

PS_REST_HANDLER(ps_do_status);
PS_REST_HANDLER(ps_do_get_root);
PS_REST_HANDLER(ps_do_export);
PS_REST_HANDLER(ps_do_import);
PS_REST_HANDLER(ps_do_get_settings);
PS_REST_HANDLER(ps_do_put_settings);
PS_REST_HANDLER(ps_do_get_limits);
PS_REST_HANDLER(ps_do_put_limits);
PS_REST_HANDLER(ps_do_get_faults);
PS_REST_HANDLER(ps_do_put_faults);
