"""An offer as a browser makes it for the four lines that it sends in a call, without a browser."""

KINDS = ("audio", "video", "video", "audio")
CODECS = {"audio": "111 opus/48000/2", "video": "96 VP8/90000"}
FINGERPRINT = ":".join(["AB"] * 32)


def offer() -> str:
    head = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1 2 3"]
    for place, kind in enumerate(KINDS):
        number, codec = CODECS[kind].split()
        head += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {number}",
            "c=IN IP4 0.0.0.0",
            "a=ice-ufrag:abcd",
            "a=ice-pwd:abcdefghijklmnopqrstuvwx",
            "a=ice-options:trickle",
            f"a=fingerprint:sha-256 {FINGERPRINT}",
            "a=setup:actpass",
            f"a=mid:{place}",
            "a=sendonly",
            "a=rtcp-mux",
            f"a=rtpmap:{number} {codec}",
        ]
    return "".join(f"{line}\r\n" for line in head)
