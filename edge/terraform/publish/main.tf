variable "account_id" {
  description = "Cloudflare's id of the account."
  type        = string
}

variable "bindings" {
  description = "edge/bindings.json."
  type        = string
}

variable "bundles" {
  description = "Each Worker's bundle."
  type        = map(string)
}

variable "folder" {
  description = "The folder that the bundles are in."
  type        = string
}

variable "values" {
  description = "The environment's values."
  type        = string
}

variable "twistctl" {
  description = "The program that publishes."
  type        = string
}

locals {
  # Of names and bytes of every module.
  hashes = {
    for worker, folder in var.bundles : worker => sha256(join("\n", [
      for file in sort(fileset(folder, "**")) : "${file} ${filesha256("${folder}/${file}")}"
    ]))
  }
}

# Secrets are read by twistctl where the values say; none of them comes into the state.
resource "terraform_data" "publish" {
  triggers_replace = {
    bundles  = local.hashes
    bindings = filesha256(var.bindings)
    values   = filesha256(var.values)
  }

  provisioner "local-exec" {
    command = "\"$TWISTCTL\" edge publish --values \"$VALUES\" --bundles \"$BUNDLES\" --bindings \"$BINDINGS\""

    environment = {
      TWISTCTL              = var.twistctl
      VALUES                = var.values
      BUNDLES               = var.folder
      BINDINGS              = var.bindings
      CLOUDFLARE_ACCOUNT_ID = var.account_id
    }
  }
}

output "hashes" {
  description = "What was published, by Worker."
  value       = local.hashes
}
