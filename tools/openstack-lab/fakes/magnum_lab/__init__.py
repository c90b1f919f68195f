"""Stand-ins for what needs hardware, an agent or an image, each as small as its service allows."""
