"""The pad that judges in the browser: markup, style, modules, and what it is given. The same in the dashboard and in a report."""
