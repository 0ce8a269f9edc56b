#!/bin/sh
# Starts Janus in its container. Its configuration cannot name a file with the secret, and arguments can be read by
# whoever lists processes: so what belongs to this server is put together here.
set -eu
: "${JANUS_PUBLIC_IP:?say in .env, as CHATAPP_JANUS_IP, the public IPv4 address of this server}"
umask 077
printf 'api_secret = "%s"\n' "$(cat /run/secrets/janus_secret)" >/tmp/secret.jcfg
printf 'ws_ip = "%s"\n' "$JANUS_API_IP" >/tmp/address.jcfg
exec janus --disable-colors --configs-folder=/etc/chatapp --config=/etc/chatapp/janus.jcfg \
    --nat-1-1="$JANUS_PUBLIC_IP" --ice-enforce-list="$JANUS_MEDIA_IP"
