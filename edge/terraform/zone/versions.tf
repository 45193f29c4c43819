# What a zone has once. Staging and production share it, so it has a state of its own: were it in both, each
# apply would undo the other's.

terraform {
  required_version = ">= 1.8.0"

  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 5.0"
    }
  }

  backend "local" {}
}

provider "cloudflare" {}
