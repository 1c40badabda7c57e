"""Small worlds that several tests live in: real parts, put together by hand."""
