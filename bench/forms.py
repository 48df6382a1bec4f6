"""Pictures as a browser's form sends them."""

BOUNDARY = "----bench0123456789abcdef"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
HEAD = (
    f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
    'name="image"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
)


def form(*pictures: bytes) -> bytes:
    """A body of the content type FORM."""
    parts = (HEAD.encode() + one + b"\r\n" for one in pictures)
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
