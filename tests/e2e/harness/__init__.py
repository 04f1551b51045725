# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on: one Taut server, Git servers, Kubernetes clients, waiting."""
