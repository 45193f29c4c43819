terraform {
  # Terraform from 1.8 on reads these files too, but it cannot encrypt the state: encryption.tofu is OpenTofu's alone.
  required_version = ">= 1.8.0"

  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 5.0"
    }
  }

  # Where the file is, is said with -backend-config; `twistctl edge state` brings it to the branch and back.
  backend "local" {}
}

# The token comes from CLOUDFLARE_API_TOKEN, never from a variable: those are kept in plans.
provider "cloudflare" {}
