// Counting which message precedes the end of connections. Pure.
#include "daemon/suspects.h"

bool ps_suspects_one_by_one(const PsSuspects *suspects) {
    return suspects->left > 0;
}

uint64_t ps_suspects_cut(PsSuspects *suspects, size_t messages, uint64_t id) {
    if (messages == 0) {
        return 0;
    }
    if (messages > 1) {
        suspects->left = messages;
        return 0;
    }
    suspects->strikes = suspects->alone == id ? suspects->strikes + 1 : 1;
    suspects->alone = id;
    if (suspects->strikes < PS_SUSPECT_STRIKES) {
        suspects->left = suspects->left > 0 ? suspects->left : 1;
        return 0;
    }
    suspects->alone = 0;
    suspects->strikes = 0;
    suspects->left -= suspects->left > 0 ? 1 : 0;
    return id;
}

void ps_suspects_acknowledged(PsSuspects *suspects, uint64_t id) {
    suspects->left -= suspects->left > 0 ? 1 : 0;
    if (suspects->alone == id) {
        suspects->alone = 0;
        suspects->strikes = 0;
    }
}
