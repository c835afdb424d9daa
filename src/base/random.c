// Jitter from the kernel's generator. Any thread.
#include "base/random.h"

#include <sys/random.h>

int64_t ps_random_up_to(int64_t limit) {
    uint64_t bits = 0;
    if (limit <= 0 || getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits) {
        return 0;
    }
    return (int64_t)(bits % ((uint64_t)limit + 1));
}
