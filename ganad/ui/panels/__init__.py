"""Parts of pages, each with one idea, put together by the views."""
