// Differences between AWS IoT Core and other MQTT servers. Pure; any thread.
#include "link/aws.h"

#include "link/link.h"

#include <limits.h>

#define AWS_ALPN_PORT 443
// libmosquitto takes no keep-alive below this.
#define LIBRARY_KEEPALIVE_MIN 5

PsLinkLimits ps_link_limits(int cloud_type) {
    if (cloud_type != PS_CLOUD_AWS_IOT) {
        return (PsLinkLimits){0};
    }
    return (PsLinkLimits){
        .payload_bytes = PS_AWS_PAYLOAD_BYTES,
        .topic_bytes = PS_AWS_TOPIC_BYTES,
        .topic_slashes = PS_AWS_TOPIC_SLASHES,
    };
}

PsLinkPace ps_link_pace(const PsCloud *cloud) {
    bool aws = cloud->type == PS_CLOUD_AWS_IOT;
    int rate = cloud->publish_rate;
    int kib = cloud->publish_kib;
    rate = rate != PS_UNSET ? rate : aws ? PS_AWS_PUBLISHES_PER_S : 0;
    kib = kib != PS_UNSET ? kib : aws ? PS_AWS_KIB_PER_S : 0;
    return (PsLinkPace){.publishes_per_s = rate,
                        .bytes_per_s = kib > INT_MAX / 1024 ? INT_MAX : kib * 1024};
}

size_t ps_link_window(const PsCloud *cloud) {
    size_t all = cloud->window > 0 ? (size_t)cloud->window : 1;
    return all > PS_LINK_NOW_WINDOW ? all - PS_LINK_NOW_WINDOW : 1;
}

bool ps_link_uses_tls(const PsCloud *cloud) {
    return cloud->type == PS_CLOUD_AWS_IOT || cloud->tls;
}

const char *ps_link_alpn(const PsCloud *cloud) {
    if (cloud->alpn != NULL && cloud->alpn[0] != '\0') {
        return cloud->alpn;
    }
    return cloud->type == PS_CLOUD_AWS_IOT && cloud->port == AWS_ALPN_PORT ? PS_AWS_ALPN : NULL;
}

int ps_link_keepalive(const PsCloud *cloud) {
    int min = LIBRARY_KEEPALIVE_MIN;
    int max = UINT16_MAX;
    if (cloud->type == PS_CLOUD_AWS_IOT) {
        min = PS_AWS_KEEPALIVE_MIN;
        max = PS_AWS_KEEPALIVE_MAX;
        if (cloud->keepalive == 0) { // the service takes "never" as its longest
            return max;
        }
    }
    return cloud->keepalive < min ? min : cloud->keepalive > max ? max : cloud->keepalive;
}
