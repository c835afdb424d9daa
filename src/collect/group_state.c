// Groups of the running configuration, and how they go on in the next one. Main thread; never
// blocks.
#include "collect/group_state.h"

#include "base/mem.h"

#include <stdlib.h>

// One walk over the channels' groups: most channels poll few of many groups.
static void find_channels(PsGroupState *groups, PsChannel *const *channels, uint32_t count,
                          bool store) {
    for (uint32_t c = 0; c < count; c++) {
        const PsConfigPart *part = ps_channel_part(channels[c]);
        for (uint32_t g = 0; g < part->config.group_count; g++) {
            uint32_t index = part->groups[g];
            if (index == PS_NOT_THERE || !ps_channel_polls(channels[c], index)) {
                continue;
            }
            if (store) {
                groups[index].channels[groups[index].channel_count] = channels[c];
            }
            groups[index].channel_count++;
        }
    }
}

PsGroupState *ps_group_states_new(const PsConfig *config, PsChannel *const *channels,
                                  uint32_t channel_count, bool (*wanted)(uint32_t group, void *ctx),
                                  void *ctx) {
    PsGroupState *groups = ps_alloc_array(config->group_count, sizeof *groups);
    find_channels(groups, channels, channel_count, false);
    for (uint32_t g = 0; g < config->group_count; g++) {
        groups[g].channels = ps_alloc_array(groups[g].channel_count, sizeof(PsChannel *));
        groups[g].channel_count = 0;
    }
    find_channels(groups, channels, channel_count, true);
    for (uint32_t g = 0; g < config->group_count; g++) {
        bool alarms = config->groups[g].type == PS_GROUP_ALARM;
        if (groups[g].channel_count > 0 && (alarms || wanted == NULL || wanted(g, ctx))) {
            groups[g].uploader = ps_uploader_new(config, g, groups[g].channel_count);
        }
    }
    return groups;
}

void ps_group_states_free(PsGroupState *groups, uint32_t count) {
    for (uint32_t g = 0; groups != NULL && g < count; g++) {
        ps_uploader_free(groups[g].uploader);
        free(groups[g].channels);
    }
    free(groups);
}

void ps_group_state_follow(PsGroupState *group, const PsGroupState *before, const PsConfigMap *map,
                           PsMono now) {
    group->uploads = before->uploads;
    if (group->uploader == NULL || before->uploader == NULL) {
        return;
    }
    ps_uploader_follow(group->uploader, before->uploader, map, now);
    for (uint32_t i = 0; i < group->channel_count; i++) {
        for (uint32_t j = 0; j < before->channel_count; j++) {
            if (group->channels[i] == before->channels[j]) {
                ps_uploader_carry(group->uploader, i, before->uploader, j);
            }
        }
    }
}

uint32_t ps_group_state_slot(const PsGroupState *group, const PsChannel *channel) {
    uint32_t number = ps_channel_number(channel);
    uint32_t low = 0;
    uint32_t high = group->channel_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ps_channel_number(group->channels[middle]) < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < group->channel_count && group->channels[low] == channel ? low : PS_NOT_THERE;
}
