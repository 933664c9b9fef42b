"""The pages for times without a network, the service worker, and the texts that scripts show."""
