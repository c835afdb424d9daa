//! Error classes, the diagnosis a person reads, and the always-on assertion.
//! Pure; usable from every thread.
#pragma once

#include <stddef.h>

#if defined(__clang__)
#define PS_MUST_USE __attribute__((warn_unused_result))
#elif defined(__GNUC__)
#define PS_MUST_USE [[nodiscard]]
#else
#define PS_MUST_USE // an analyser that knows neither spelling
#endif

#define PS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args), nonnull(fmt)))
#define PS_UNUSED __attribute__((unused))
#define PS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/// Every function that can fail returns one of these classes. The class says what kind of thing
/// happened so that code can decide; the words for a person are in a PsDiag.
typedef enum PS_MUST_USE PsErr {
    PS_OK = 0,
    PS_ERR_NO_MEMORY,
    PS_ERR_INVALID,     ///< the caller's or the user's input is wrong
    PS_ERR_RANGE,       ///< a number is outside its documented range
    PS_ERR_TOO_BIG,     ///< longer than a stated limit
    PS_ERR_NOT_FOUND,   ///< the named thing does not exist
    PS_ERR_EXISTS,      ///< the name is taken
    PS_ERR_UNSUPPORTED, ///< understood, but this version or protocol cannot do it
    PS_ERR_IO,          ///< the operating system refused
    PS_ERR_TIMEOUT,
    PS_ERR_CLOSED,    ///< the other side has gone away
    PS_ERR_REFUSED,   ///< the peer understood and said no
    PS_ERR_PROTOCOL,  ///< the peer said something its protocol does not allow
    PS_ERR_BUSY,      ///< try again later
    PS_ERR_FULL,      ///< a bounded queue or store is at its limit
    PS_ERR_CORRUPT,   ///< stored data fails its check
    PS_ERR_CANCELLED, ///< stopped before it was done
    PS_ERR_DENIED,    ///< permission
    PS_ERR_INTERNAL,
} PsErr;

/// The name of a class, for logs and JSON: "not-found". Never NULL.
const char *ps_err_name(PsErr err);

/// What a person needs to act: filled where the failure is first known, passed up unchanged.
/// `object` names the thing ("device 'Boiler'"), `field` the key or line, `text` what is wrong and
/// what to do. All NUL-terminated, cut (never overrun) when too long.
typedef struct PsDiag {
    char object[128];
    char field[64];
    char text[384];
} PsDiag;

/// ps_fail(err, diag, object, field, fmt, ...) fills `diag` and gives `err`, so that
/// `return ps_fail(...)` is one line. A macro, so that a compiler and an analyser see that a
/// failing branch does not end in PS_OK.
#define ps_fail(err, ...) (ps_diag_set(__VA_ARGS__), (err))

/// Fills `diag` (may be NULL); `object` and `field` may be NULL.
void ps_diag_set(PsDiag *diag, const char *object, const char *field, const char *fmt, ...)
    PS_PRINTF(4, 5);

/// Writes "object: field: text" (the parts that are present) into `out`; always terminated.
void ps_diag_format(const PsDiag *diag, char *out, size_t size);

/// A broken invariant of our own code: says where, then aborts. On in release builds too; never
/// used on anything that comes from outside.
#define PS_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) {                                                   \
            ps_assert_failed(#condition, __FILE__, __LINE__);                                      \
        }                                                                                          \
    } while (0)

_Noreturn void ps_assert_failed(const char *condition, const char *file, int line);
