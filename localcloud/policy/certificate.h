//! The fields of a certificate that policies can name. Pure.
#pragma once

#include "localcloud/policy/variable.h"

#define PS_CERTIFICATE_VALUES 5 // lists stop here
#define PS_CERTIFICATE_NONE UINT8_MAX

/// The number of "Certificate.Subject.CommonName" (without "iot:" and without ".1" or ".List"; not
/// necessarily terminated), or PS_CERTIFICATE_NONE.
uint8_t ps_certificate_field(const char *name, size_t len);

/// Its n-th value, from 0.
bool ps_certificate_value(const PsPolicyCertificate *certificate, uint8_t field, size_t n,
                          PsPolicyText *ret_value);

/// The n-th name of iot:Certificate.AvailableKeys: those that have a value.
bool ps_certificate_key(const PsPolicyCertificate *certificate, size_t n, PsPolicyText *ret_name);
