// Rules for passwords (pure), hashing and comparing (any thread, blocks).
#include "access/password.h"

#include "base/mem.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// What is tried first by everybody who guesses, as far as it is long enough to be a password here;
// written small, and refused with digits and signs behind it too.
static const char *const commonest[] = {
    "0123456789",    "1111111111",   "1122334455",
    "1234567890",    "123456789",    "123123123",
    "1q2w3e4r5t",    "1qaz2wsx3edc", "987654321",
    "administrator", "adminadmin",   "adminpassword",
    "asdfghjkl",     "changeme",     "changemenow",
    "default",       "engineer",     "football",
    "gateway",       "iloveyou",     "industrial",
    "letmein",       "maintenance",  "operator",
    "passw0rd",      "password",     "passwordpassword",
    "penstock",      "princess",     "q1w2e3r4t5",
    "qazwsxedc",     "qwerty",       "qwertyuiop",
    "qwertz",        "qwertzuiop",   "secret",
    "service",       "siemens",      "simatic",
    "sunshine",      "superman",     "supervisor",
    "test",          "viewer",       "welcome",
    "zaq12wsx",      "admin",        "root",
    "user",          "guest",        "monitor",
    "schneider",     "modbus",
};

static bool is_one_letter(const char *password) {
    return strspn(password, (const char[]){password[0], '\0'}) == strlen(password);
}

// The word, and nothing but digits and signs behind it.
static bool is_word(const char *password, const char *word) {
    size_t len = strlen(word);
    return strncasecmp(password, word, len) == 0 &&
           strspn(password + len, "0123456789!?.,-_#*+@$&/ ") == strlen(password + len);
}

PsErr ps_password_check(const char *password, const char *name, PsDiag *diag) {
    size_t len = strlen(password);
    if (len < PS_PASSWORD_LEAST || len > PS_PASSWORD_MOST) {
        return ps_fail(PS_ERR_INVALID, diag, "user", "password",
                       "must be %d to %d bytes long; a few words in a row are easy to keep in mind",
                       PS_PASSWORD_LEAST, PS_PASSWORD_MOST);
    }
    if (name[0] != '\0' && is_word(password, name)) {
        return ps_fail(PS_ERR_INVALID, diag, "user", "password",
                       "must not be the user's name; choose another");
    }
    bool common = is_one_letter(password);
    for (size_t i = 0; i < PS_COUNT(commonest); i++) {
        common = common || is_word(password, commonest[i]);
    }
    return common ? ps_fail(PS_ERR_INVALID, diag, "user", "password",
                            "is one of the commonest, which are tried first; choose another")
                  : PS_OK;
}

// `setting` is a hash or what crypt_gensalt makes. The memory of the library is wiped.
static bool run(const char *password, const char *setting, char out[PS_PASSWORD_HASH_SIZE]) {
    struct crypt_data *data = ps_alloc(sizeof *data);
    const char *hash = crypt_r(password, setting, data);
    bool fine = hash != NULL && hash[0] != '*' && strlen(hash) < PS_PASSWORD_HASH_SIZE;
    if (fine) {
        memcpy(out, hash, strlen(hash) + 1);
    }
    ps_secret_wipe(data, sizeof *data);
    free(data);
    return fine;
}

PsErr ps_password_hash(const char *password, char out[PS_PASSWORD_HASH_SIZE]) {
    uint8_t random[16];
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    ps_secret_random(random, sizeof random);
    bool fine = crypt_gensalt_rn("$y$", 0, (const char *)random, sizeof random, setting,
                                 sizeof setting) != NULL &&
                run(password, setting, out);
    ps_secret_wipe(random, sizeof random);
    return fine ? PS_OK : PS_ERR_INTERNAL;
}

bool ps_password_fits(const char *password, const char *hash) {
    char found[PS_PASSWORD_HASH_SIZE] = "";
    char nobody[PS_PASSWORD_HASH_SIZE];
    // The same cost as a real one: its setting is made the same way, and never compared with.
    if (hash == NULL) {
        PsErr err = ps_password_hash(password, nobody);
        (void)err;
        return false;
    }
    bool fits = run(password, hash, found) && strlen(found) == strlen(hash) &&
                ps_secret_equal(found, hash, strlen(hash));
    ps_secret_wipe(found, sizeof found);
    return fits;
}
