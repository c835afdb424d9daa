// Growing delays for wrong passwords. Pure.
#include "access/throttle.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct Rule {
    unsigned free;     // failures without a delay
    int64_t first_ns;  // after one more; doubles with each
    int64_t cap_ns;    // never longer
    int64_t forget_ns; // without a failure for so long, all is forgotten
} Rule;

// A person mistypes three times in a row; a program that guesses gets 300 tries a day from one
// address, and 1,500 at one name from wherever.
static const Rule of_address = {5, PS_NS_PER_S, 300 * PS_NS_PER_S, 3600 * PS_NS_PER_S};
static const Rule of_name = {4, PS_NS_PER_S, 60 * PS_NS_PER_S, 3600 * PS_NS_PER_S};

// ---- one table

static PsThrottleEntry *find(PsThrottleEntry *entries, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++) {
        if (entries[i].key[0] != '\0' && strcasecmp(entries[i].key, key) == 0) {
            return &entries[i];
        }
    }
    return NULL;
}

static PsThrottleEntry *find_or_make(PsThrottleEntry *entries, size_t count, const char *key) {
    PsThrottleEntry *place = find(entries, count, key);
    if (place != NULL) {
        return place;
    }
    place = &entries[0];
    for (size_t i = 0; i < count && place->key[0] != '\0'; i++) {
        if (entries[i].key[0] == '\0' || entries[i].last.ns < place->last.ns) {
            place = &entries[i];
        }
    }
    *place = (PsThrottleEntry){0};
    snprintf(place->key, sizeof place->key, "%s", key);
    return place;
}

static void forget_old(PsThrottleEntry *entry, const Rule *rule, PsMono now) {
    if (entry != NULL && now.ns - entry->last.ns >= rule->forget_ns) {
        *entry = (PsThrottleEntry){0};
    }
}

static PsMono until(const PsThrottleEntry *entry, const Rule *rule) {
    if (entry == NULL || entry->failures <= rule->free) {
        return (PsMono){0};
    }
    int64_t delay_ns = rule->first_ns;
    for (unsigned i = rule->free + 1; i < entry->failures && delay_ns < rule->cap_ns; i++) {
        delay_ns *= 2;
    }
    return ps_mono_add_ns(entry->last, delay_ns < rule->cap_ns ? delay_ns : rule->cap_ns);
}

static void fail_once(PsThrottleEntry *entry, PsMono now) {
    entry->failures += entry->failures < 1000;
    entry->last = now;
}

static void undo(PsThrottleEntry *entry) {
    if (entry != NULL && entry->failures > 0) {
        entry->failures--;
    }
    if (entry != NULL && entry->failures == 0) {
        *entry = (PsThrottleEntry){0};
    }
}

// ---- where a name was used well

static PsThrottleGood *good_of(PsThrottle *throttle, const char *name) {
    for (size_t i = 0; i < PS_ACCOUNTS_MAX; i++) {
        if (strcasecmp(throttle->good[i].name, name) == 0) {
            return &throttle->good[i];
        }
    }
    return NULL;
}

static bool is_good(PsThrottle *throttle, const char *name, const char *address) {
    const PsThrottleGood *good = good_of(throttle, name);
    for (size_t i = 0; good != NULL && i < PS_THROTTLE_GOOD; i++) {
        if (strcmp(good->addresses[i], address) == 0) {
            return true;
        }
    }
    return false;
}

static void note_good(PsThrottle *throttle, const char *name, const char *address) {
    PsThrottleGood *good = good_of(throttle, name);
    if (good == NULL) {
        good = good_of(throttle, ""); // a free one
        if (good == NULL) {
            good = &throttle->good[0]; // of an account that is no more
        }
        *good = (PsThrottleGood){0};
        snprintf(good->name, sizeof good->name, "%s", name);
    }
    size_t at = 0;
    while (at < PS_THROTTLE_GOOD - 1 && strcmp(good->addresses[at], address) != 0) {
        at++;
    }
    memmove(good->addresses[1], good->addresses[0], at * PS_ADDRESS_SIZE);
    snprintf(good->addresses[0], PS_ADDRESS_SIZE, "%s", address);
}

// ---- what is asked

void ps_throttle_address(const char *address, char out[PS_ADDRESS_SIZE]) {
    struct in6_addr six;
    char bare[PS_ADDRESS_SIZE];
    snprintf(bare, sizeof bare, "%s", address[0] != '\0' ? address : "-");
    snprintf(out, PS_ADDRESS_SIZE, "%s", bare);
    bare[strcspn(bare, "%")] = '\0'; // fe80::1%eth0
    if (inet_pton(AF_INET6, bare, &six) != 1) {
        return;
    }
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        (void)inet_ntop(AF_INET, &six.s6_addr[12], out, PS_ADDRESS_SIZE);
    } else if (!IN6_IS_ADDR_LOOPBACK(&six)) {
        memset(&six.s6_addr[8], 0, 8);
        (void)inet_ntop(AF_INET6, &six, out, PS_ADDRESS_SIZE);
    }
}

int64_t ps_throttle_begin(PsThrottle *throttle, const char *name, const char *address, PsMono now) {
    PsThrottleEntry *there = find(throttle->addresses, PS_THROTTLE_ADDRESSES, address);
    PsThrottleEntry *named = find(throttle->names, PS_THROTTLE_NAMES, name);
    forget_old(there, &of_address, now);
    forget_old(named, &of_name, now);
    bool first = there == NULL || there->failures == 0;
    PsMono wait = until(there, &of_address);
    if (!first && !is_good(throttle, name, address)) {
        PsMono by_name = until(named, &of_name);
        wait = by_name.ns > wait.ns ? by_name : wait;
    }
    if (wait.ns > now.ns) {
        return wait.ns - now.ns;
    }
    fail_once(find_or_make(throttle->addresses, PS_THROTTLE_ADDRESSES, address), now);
    fail_once(find_or_make(throttle->names, PS_THROTTLE_NAMES, name), now);
    return 0;
}

void ps_throttle_take_back(PsThrottle *throttle, const char *name, const char *address) {
    undo(find(throttle->addresses, PS_THROTTLE_ADDRESSES, address));
    undo(find(throttle->names, PS_THROTTLE_NAMES, name));
}

void ps_throttle_good(PsThrottle *throttle, const char *name, const char *address) {
    undo(find(throttle->addresses, PS_THROTTLE_ADDRESSES, address));
    ps_throttle_forget(throttle, name);
    note_good(throttle, name, address);
}

PsMono ps_throttle_name_until(const PsThrottle *throttle, const char *name, PsMono now) {
    for (size_t i = 0; i < PS_THROTTLE_NAMES; i++) {
        const PsThrottleEntry *entry = &throttle->names[i];
        if (entry->key[0] != '\0' && strcasecmp(entry->key, name) == 0) {
            PsMono end = until(entry, &of_name);
            return end.ns > now.ns ? end : (PsMono){0};
        }
    }
    return (PsMono){0};
}

void ps_throttle_forget(PsThrottle *throttle, const char *name) {
    PsThrottleEntry *entry = find(throttle->names, PS_THROTTLE_NAMES, name);
    if (entry != NULL) {
        *entry = (PsThrottleEntry){0};
    }
}
