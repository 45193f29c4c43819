variable "zone" {
  description = "The zone's name, such as example.org."
  type        = string
}

variable "hosts" {
  description = "The hosts of every environment's edge. No other host of the zone is touched."
  type        = list(string)

  validation {
    condition     = length(var.hosts) > 0 && alltrue([for host in var.hosts : can(regex("^[a-z0-9.-]+$", host))])
    error_message = "At least one host, in lower case."
  }
}

variable "blocked_countries" {
  description = "Countries that are not served."
  type        = list(string)
  default     = ["KP", "IR", "SY", "CU"]

  validation {
    condition     = alltrue([for country in var.blocked_countries : can(regex("^[A-Z]{2}$", country))])
    error_message = "Countries are two upper-case letters."
  }
}

variable "requests_per_10_seconds" {
  description = "What one address may ask of /api/ in ten seconds, in one data centre."
  type        = number
  default     = 100
}
