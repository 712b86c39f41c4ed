"""The portal's own pages beside the admin site's lists: each one reads selectors and renders a template."""
