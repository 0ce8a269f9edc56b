#!/bin/sh
# Starts coturn in its container. It takes neither a secret from a file of its own nor an address from the environment,
# and arguments can be read by whoever lists processes: so its configuration is put together here.
set -eu
: "${TURN_PUBLIC_IP:?say in .env, as CHATAPP_TURN_IP, the public IPv4 address of this server}"
umask 077
{
    cat /etc/chatapp/turnserver.conf
    printf 'static-auth-secret=%s\n' "$(cat /run/secrets/turn_secret)"
    printf 'listening-ip=%s\nrelay-ip=%s\nexternal-ip=%s/%s\n' \
        "$TURN_OWN_IP" "$TURN_OWN_IP" "$TURN_PUBLIC_IP" "$TURN_OWN_IP"
    # Two browsers that both need a relay meet here: one relay's peer is the other, by this server's public address,
    # which coturn takes for its own.
    printf 'allowed-peer-ip=%s\n' "$TURN_OWN_IP"
} >/tmp/turnserver.conf
exec turnserver -c /tmp/turnserver.conf
