variable "environment" {
  description = "Which environment: it follows every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]{1,20}$", var.environment))
    error_message = "An environment's name has up to 20 lower-case letters and digits."
  }
}

variable "account_id" {
  description = "Cloudflare's id of the account."
  type        = string
}

variable "zone" {
  description = "The zone's name, such as example.org."
  type        = string
}

variable "host" {
  description = "The host that clients call, inside of the zone."
  type        = string
}

variable "bundles" {
  description = "The folder with the Workers' bundles, one folder each: a release."
  type        = string
}

variable "values" {
  description = "The environment's values for the Workers, as twistctl edge publish takes them."
  type        = string
}

variable "twistctl" {
  description = "The program that publishes."
  type        = string
  default     = "twistctl"
}

variable "retention_seconds" {
  description = "How long a queue keeps a message. The free plan has a day and lets nobody choose: null."
  type        = number
  default     = null
}
